/** What can be done from any page. */
import { api } from '../backend/api'
import { t } from '../text/text.svelte'
import { says } from './says.svelte'
import { store } from './store.svelte'

/** Pauses all folders, or resumes them where all are paused; both can be undone. */
export async function pauseAll(): Promise<void> {
  const folders = store.snapshot?.folders ?? []
  const going = folders.filter((f) => f.state !== 'paused')
  const pause = going.length > 0
  const those = (pause ? going : folders).map((f) => f.id)
  if (those.length === 0) return
  const turn = (paused: boolean): Promise<unknown> => Promise.all(those.map((id) => api.pauseFolder(id, paused)))
  await turn(pause)
  says.done(t(pause ? 'act.paused-all' : 'act.resumed-all'), () => turn(!pause))
}
