/** The line below a state: what it means, in a sentence. */
import type { Device } from '../backend/api'
import { folderState, waitsFor, lacks, type Shared } from '../state/states'
import type { Words } from '../state/eta'
import { day, roughly, t, when, word } from '../text/text.svelte'

export function etaText(w: Words): string {
  return 'from' in w ? t(w.key, { from: w.from, to: w.to }) : t(w.key)
}

/** The same by the figures, for who wants to know it exactly. */
export function etaExactly(seconds: number | undefined): string | undefined {
  return seconds === undefined ? undefined : t('eta.exactly', { what: roughly(seconds) })
}

/** What a device still lacks of a folder: deletions and new names have no bytes. */
export function leftText(need: { items: number; bytes: number }): string {
  return need.bytes > 0 ? t('changes.left', { n: need.items, bytes: need.bytes }) : t('changes.left-bare', { n: need.items })
}

export function folderLine(shared: Shared): string {
  const { folder: f } = shared
  const s = folderState(shared)
  switch (s.word) {
    case 'state.stopped': {
      const stop = f.problems.find((p) => p.severity === 'stop') ?? f.problem
      return stop ? word(stop).title : ''
    }
    case 'state.held':
      return t('line.held', { n: f.held })
    case 'state.two':
      return t('line.two', { n: f.conflicts })
    case 'state.cannot':
      return t('line.cannot')
    case 'state.looking':
      return t('line.looking', { n: f.local.files })
    case 'state.waiting': {
      const d = waitsFor(shared)
      const n = d ? lacks(d, f.id).items : 0
      if (d?.connected && f.problems.some((p) => p.code === 'folder-not-accepted' && p.param?.['device'] === d.name)) return t('line.not-accepted')
      const left = d && (d.problems.find((p) => p.severity === 'stop') ?? f.problems.find((p) => p.code === 'folder-left-by' && p.param?.['device'] === d.name))
      if (left) return word(left).title
      if (d?.paused) return t('line.waiting-paused', { n })
      if (d?.problems.some((p) => p.code === 'device-paused-there')) return t('line.paused-there')
      if (d && !d.connected && n > 0) return t('line.waiting', { n })
      return f.need.items > 0 ? t('line.needed', { n: f.need.items }) : t('line.not-there')
    }
    case 'state.alone':
      return t('line.alone')
    case 'state.paused':
      return f.paused_until === undefined ? t('line.paused') : t('line.paused-until', { when: when(f.paused_until) })
    default:
      return t('line.holds', { n: f.local.files, size: f.local.bytes })
  }
}


/** How the connection with a device leaves this computer; nothing where that is not certain. */
export function reachText({ connected, reach }: Device): string {
  if (!connected || (reach.over === undefined && !reach.direct)) return ''
  if (reach.over === undefined) return t('reach.direct')
  return t(reach.direct ? `reach.${reach.over}.direct` : `reach.${reach.over}`)
}

/** How and when a device became one of ours, as far as that is known. */
export function verifiedText(d: Device): string {
  if (d.paired === undefined) return t('device.paired.unknown')
  return t(`device.paired.${d.paired}`, d.paired_at === undefined ? {} : { what: day(d.paired_at) })
}
