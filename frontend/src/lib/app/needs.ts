/** What waits for a person, with the button that helps. */
import { api, type Device, type Folder, type Offer, type Problem, type Snapshot } from '../backend/api'
import { to } from './router.svelte'

/** A button: either it leads somewhere, or it does something. */
export type Act = { href: string } | { run: () => Promise<unknown> }

export interface Need {
  key: string
  problem: Problem
  folder?: Folder
  device?: Device
  /** The buttons, by their places among the labels of the condition. */
  buttons: Button[]
}

export interface Button {
  label: number
  act: Act
}

/** The folders that are offered and wait for an answer. */
export function offered(s: Snapshot): Offer[] {
  return s.offers.filter((o) => o.folder !== '' && !o.refused)
}

const asking = new Set(['ask', 'stop'])

/**
 * Gives each of some conditions a key of its own: the same code may stand in a
 * list for two networks, or for two devices that have not accepted a folder. The
 * key stays while others come and go, as long as what is said of it does.
 */
export function apart(list: readonly Problem[]): { key: string; problem: Problem }[] {
  const seen = new Map<string, number>()
  return list.map((problem) => {
    const about = ['id', 'device', 'file', 'path'].map((name) => problem.param?.[name] ?? '').join('\n')
    const said = `${problem.code}\n${about}`
    const n = seen.get(said) ?? 0
    seen.set(said, n + 1)
    return { key: `${said}\n${n}`, problem }
  })
}

function waiting(list: readonly Problem[]): ReturnType<typeof apart> {
  return apart(list).filter(({ problem }) => asking.has(problem.severity ?? ''))
}

/** All that is not going on by itself, the worst first. */
export function needs(s: Snapshot): Need[] {
  const out: Need[] = waiting(s.problems).map(({ key, problem }) => ({ key: `program ${key}`, problem, buttons: ofProgram(problem) }))
  for (const folder of s.folders) {
    for (const { key, problem } of waiting(folder.problems)) out.push({ key: `folder ${folder.id} ${key}`, problem, folder, buttons: ofFolder(s, problem, folder) })
  }
  for (const device of s.devices) {
    for (const { key, problem } of waiting(device.problems)) out.push({ key: `device ${device.id} ${key}`, problem, device, buttons: ofDevice(problem, device) })
  }
  return out.sort((a, b) => Number(b.problem.severity === 'stop') - Number(a.problem.severity === 'stop'))
}

/** Which label of a folder's condition means "look again". */
const lookAgain: Record<string, number> = { 'folder-missing': 1, 'folder-read-only': 1 }

function ofProgram(p: Problem): Button[] {
  if (p.code === 'code-used-twice') return [{ label: 1, act: { href: to.connect } }]
  const network = p.param?.['id']
  if (p.code !== 'network-untrusted' || network === undefined) return []
  return [true, false].map((trusted, label) => ({ label, act: { run: () => api.trustNetwork(network, trusted) } }))
}

/** The buttons of a condition of a folder. */
export function ofFolder(s: Snapshot, p: Problem, f: Folder): Button[] {
  if (p.code === 'two-versions') return [{ label: 0, act: { href: to.folder(f.id, 'conflicts') } }]
  if (p.code === 'rule-broken') return [{ label: 0, act: { href: to.folder(f.id, 'rules') } }]
  const again = lookAgain[p.code]
  if (again !== undefined) return [{ label: again, act: { run: () => api.scan(f.id) } }]
  const [left, more] = s.devices.filter((d) => f.devices.includes(d.id) && d.name === p.param?.['device'])
  if (p.code === 'folder-left-by' && left && !more) return [{ label: 1, act: { run: () => api.unshare(f.id, left.id) } }]
  return []
}

function ofDevice(p: Problem, d: Device): Button[] {
  if (p.code === 'device-forgot-us') return [{ label: 1, act: { href: to.device(d.id) } }]
  if (p.code === 'removed-elsewhere') {
    return [{ label: 0, act: { href: to.device(d.id) } }, { label: 1, act: { run: () => api.changeDevice(d.id, { paused: false }) } }]
  }
  if (p.code === 'device-sends-nonsense') return [{ label: 1, act: { run: () => api.changeDevice(d.id, { paused: true }) } }]
  return []
}
