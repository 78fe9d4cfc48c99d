/** Tells screen readers what changed: the class of a state, never rates. */
import type { Snapshot } from '../backend/api'
import { folderState, sharers } from '../state/states'
import { t } from '../text/text.svelte'
import { says } from './says.svelte'

let known: Map<string, string> | undefined

/** Compares with what was told before; the first state is told by the page itself. */
export function announce(s: Snapshot | undefined): void {
  if (!s) return
  const next = new Map<string, string>()
  for (const folder of s.folders) {
    const state = folderState({ folder, devices: sharers(s, folder) })
    const quarter = state.progress === undefined ? '' : String(Math.floor(state.progress * 4) * 25)
    next.set(folder.id, `${state.word} ${quarter}`)
    if (!known || known.get(folder.id) === next.get(folder.id)) continue
    const sentence = t('says.folder', { folder: folder.label, state: t(state.word, state.params) })
    if (state.word === 'state.stopped') says.interrupt(sentence)
    else says.tell(quarter === '' || quarter === '0' ? sentence : t('says.progress', { folder: folder.label, state: t(state.word, state.params), percent: quarter }))
  }
  known = next
}
