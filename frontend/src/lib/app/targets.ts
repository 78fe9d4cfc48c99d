/** What "Go to…" leads to: pages, folders, devices, and what can be done with them. */
import { api, type Snapshot } from '../backend/api'
import { shown } from '../text/names'
import { t, type Key } from '../text/text.svelte'
import { pauseAll } from './acts'
import { panel } from './panel.svelte'
import { router, to } from './router.svelte'
import { store } from './store.svelte'
import { theme } from './theme.svelte'

export interface Target {
  key: string
  /** What it is called: shown, and compared with what is typed. */
  name: string
  kind: Key
  run: () => unknown
}

const pages = ['overview', 'needs', 'transfers', 'activity', 'connect', 'share', 'settings', 'doctor', 'support'] as const
const themes = ['system', 'light', 'dark'] as const

const link = (key: string, name: string, kind: Key, hash: string): Target => ({ key, name, kind, run: () => router.go(hash) })

/** All of them, those that one goes to most first. */
export function targets(s: Snapshot): Target[] {
  const out: Target[] = []
  for (const f of s.folders) out.push(link(`folder ${f.id}`, shown(f.label), 'go.folder', to.folder(f.id)))
  for (const d of s.devices) out.push(link(`device ${d.id}`, shown(store.nameOf(d)), 'go.device', to.device(d.id)))
  for (const p of pages) out.push(link(`page ${p}`, t(`page.${p}`), 'go.page', to[p]))
  for (const f of s.folders) {
    const paused = f.state === 'paused'
    out.push(link(`files ${f.id}`, t('act.files', { folder: f.label }), 'go.folder', to.files(f.id, '')))
    out.push({ key: `pause ${f.id}`, name: t(paused ? 'act.resume' : 'act.pause', { name: f.label }), kind: 'go.act', run: () => api.pauseFolder(f.id, !paused) })
    if (!paused) out.push({ key: `scan ${f.id}`, name: t('act.scan', { folder: f.label }), kind: 'go.act', run: () => api.scan(f.id) })
  }
  for (const d of s.devices) {
    out.push({ key: `pause ${d.id}`, name: t(d.paused ? 'act.resume' : 'act.pause', { name: store.nameOf(d) }), kind: 'go.act', run: () => api.changeDevice(d.id, { paused: !d.paused }) })
  }
  if (s.folders.length > 0) out.push({ key: 'pause', name: t('key.pause-all'), kind: 'go.act', run: pauseAll })
  for (const c of themes) out.push({ key: `theme ${c}`, name: t('act.theme', { name: t(`theme.${c}`) }), kind: 'go.act', run: () => theme.choose(c) })
  out.push({ key: 'keys', name: t('keys'), kind: 'go.act', run: () => panel.show('keys') })
  return out
}

const fold = (text: string): string => text.normalize('NFKD').replaceAll(/[\u2068\u2069\p{M}]/gu, '').toLowerCase()

/** Those whose names hold all that was typed, whatever the case and the accents; those that begin with it first. */
export function matching(all: readonly Target[], typed: string): Target[] {
  const words = fold(typed).split(/\s+/).filter((w) => w !== '')
  const rated = all.flatMap((target) => {
    const name = fold(target.name)
    if (!words.every((w) => name.includes(w))) return []
    const [first = ''] = words
    return [{ target, rate: name.startsWith(first) ? 0 : name.includes(` ${first}`) ? 1 : 2 }]
  })
  return rated.toSorted((a, b) => a.rate - b.rate).map((r) => r.target)
}
