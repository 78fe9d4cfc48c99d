/**
 * What is said of folders and devices: pure functions from a snapshot to a
 * state of the table that decides word, icon and colour. "In sync" is said only
 * where nothing is doubtful, here and on every device that shares the folder.
 */
import type { Device, Folder, Problem, Snapshot } from '../backend/api'
import type { Key } from '../text/text.svelte'
import type { Params } from '../text/fill'

export type Tone = 'ok' | 'acc' | 'warn' | 'bad' | 't2'
export type StateIcon =
  | 'circle-check' | 'scan-search' | 'cord' | 'circle-dashed' | 'hand' | 'files' | 'triangle-alert' | 'circle-pause' | 'octagon-alert' | 'check'

export interface State {
  word: Key
  params: Params
  icon: StateIcon
  tone: Tone
  /** Progress between 0 and 1, where there is work. */
  progress?: number
  /** Whether a bead shows that work goes on right now. */
  live?: boolean
}

const none: Params = {}
const state = (word: Key, icon: StateIcon, tone: Tone, params: Params = none): State => ({ word, icon, tone, params })

/** A folder with the devices that share it. */
export interface Shared {
  folder: Folder
  devices: Device[]
}

export function sharers(s: Snapshot, f: Folder): Device[] {
  return s.devices.filter((d) => f.devices.includes(d.id))
}

/** What a device lacks of a folder: nothing is known of one that never told. */
export function lacks(d: Device, folder: string): { items: number; bytes: number; current: boolean } {
  const need = d.folders[folder]
  return { items: need?.need_items ?? 0, bytes: need?.need_bytes ?? 0, current: need?.current ?? false }
}

export function hasAll(d: Device, folder: string): boolean {
  const need = d.folders[folder]
  return need !== undefined && need.need_items === 0
}

export function isReceiving(f: Folder): boolean {
  return f.state === 'syncing'
}

/** The devices that are getting something of a folder from somewhere. */
export function receivers({ folder, devices }: Shared): Device[] {
  return devices.filter((d) => d.connected && !d.paused && lacks(d, folder.id).current && lacks(d, folder.id).items > 0)
}

/**
 * The bytes of a folder that are still to come here. What is done of a round
 * counts as here already, but for the files that are on their way.
 */
export function leftHere(f: Folder): number {
  const underWay = f.progress.files.reduce((n, file) => n + file.done, 0)
  return f.need.bytes - Math.min(underWay, f.need.bytes)
}

/** How far a folder is: what is here of what all should have. */
export function fractionHere(f: Folder): number {
  if (f.need.items === 0) return 1
  const total = Math.max(f.global.bytes, f.need.bytes, 1)
  if (f.need.bytes === 0) return Math.max(0, 1 - f.need.items / Math.max(f.global.files + f.global.dirs, f.need.items))
  return clamp(1 - leftHere(f) / total)
}

/** How far a device is with a folder. */
export function fractionThere(f: Folder, d: Device): number {
  const need = lacks(d, f.id)
  if (need.items === 0) return 1
  if (need.bytes === 0) return clamp(1 - need.items / Math.max(f.global.files + f.global.dirs, need.items))
  return clamp(1 - need.bytes / Math.max(f.global.bytes, need.bytes))
}

function clamp(n: number): number {
  return Math.min(1, Math.max(0, n))
}

function worst(list: Problem[], severity: string): Problem | undefined {
  return list.find((p) => p.severity === severity)
}

/** The state of a folder: of several that hold, the one that matters most. */
export function folderState(shared: Shared): State {
  const { folder: f, devices } = shared
  if (f.state === 'stopped' || worst(f.problems, 'stop')) return state('state.stopped', 'octagon-alert', 'bad')
  if (f.held > 0) return state('state.held', 'hand', 'warn')
  if (f.conflicts > 0) return state('state.two', 'files', 'warn')
  if (f.state !== 'paused' && f.failed_count > 0) return state('state.cannot', 'triangle-alert', 'warn', { n: f.failed_count })
  if (f.state === 'paused') return state('state.paused', 'circle-pause', 't2')
  const working = workState(shared)
  if (working) return working
  if (f.devices.length === 0) return state('state.alone', 'circle-dashed', 't2')
  const waits = waitsFor(shared)
  if (waits) return state('state.waiting', 'circle-dashed', 't2', { device: waits.name })
  if (f.in_sync && devices.every((d) => hasAll(d, f.id))) return state('state.sync', 'circle-check', 'ok')
  return state('state.waiting-any', 'circle-dashed', 't2')
}

/** What goes on with a folder that neither stopped nor pauses, whatever else is said of it. */
export function workState(shared: Shared): State | undefined {
  const { folder: f } = shared
  if (f.state === 'stopped' || f.state === 'paused' || worst(f.problems, 'stop')) return undefined
  if (f.state === 'scanning') return state('state.looking', 'scan-search', 'acc')
  const to = receivers(shared)
  const receiving = isReceiving(f)
  const slowest = Math.min(receiving ? fractionHere(f) : 1, ...to.map((d) => fractionThere(f, d)))
  const work = { progress: slowest, live: true }
  if (receiving && to.length > 0) return { ...state('state.syncing', 'cord', 'acc'), ...work }
  if (receiving) return { ...state('state.receiving', 'cord', 'acc'), ...work }
  const [only] = to
  if (only && to.length === 1) return { ...state('state.sending', 'cord', 'acc', { device: only.name }), ...work }
  if (only) return { ...state('state.sending-many', 'cord', 'acc', { n: to.length }), ...work }
  return undefined
}

/** The device that something of the folder waits for. */
export function waitsFor({ folder: f, devices }: Shared): Device | undefined {
  return devices.find((d) => !hasAll(d, f.id) || !lacks(d, f.id).current && d.connected) ?? (f.need.items > 0 ? devices.find((d) => !d.connected) : undefined)
}

/** The state of another device. */
export function deviceState(d: Device, now = Date.now()): State {
  if (d.paused) return state('state.paused', 'circle-pause', 't2')
  if (worst(d.problems, 'stop')) return state('state.refused', 'octagon-alert', 'bad')
  if (d.connected) return state('state.connected', 'check', 'ok')
  if (d.problems.some((p) => p.code === 'waiting-for-their-yes')) return state('state.their-yes', 'circle-dashed', 'warn')
  if (d.since !== undefined && now - Date.parse(d.since) < connecting) return state('state.connecting', 'circle-dashed', 'acc')
  return state('state.out-of-reach', 'circle-dashed', 't2')
}

/** How long in milliseconds a device that is gone is said to be connecting. */
const connecting = 10_000

/** The answer to "can I close the lid?". */
export interface Safe {
  kind: 'safe' | 'longer' | 'only-here' | 'alone'
  title: Key
  line: Key
  params: Params
  tone: Tone
  /** Between 0 and 1, while something goes over. */
  progress?: number
}

const onlyHere = (line: Key, params: Params): Safe => ({ kind: 'only-here', title: 'safe.only-here', line, params, tone: 'warn' })

/** Decides what the overview says of closing this computer. In doubt it is not safe. */
export function safeToClose(s: Snapshot): Safe {
  if (s.devices.length === 0) return { kind: 'alone', title: 'safe.alone', line: 'safe.alone.line', params: none, tone: 't2' }
  const giving = s.folders.filter((f) => f.type !== 'receive-only' && f.type !== 'receive-encrypted')
  if (s.folders.length === 0) return { kind: 'alone', title: 'safe.nothing', line: 'safe.nothing.line', params: none, tone: 't2' }
  for (const f of giving) {
    if (f.state === 'stopped') return onlyHere('safe.stopped', { folder: f.label })
    if (f.state === 'paused') return onlyHere('safe.paused', { folder: f.label })
    if (f.devices.length === 0) return onlyHere('safe.unshared', { folder: f.label })
  }
  let waiting: Safe | undefined
  let going: Safe | undefined
  for (const f of giving) {
    const best = bestCopy(s, f)
    if (best.safe) continue
    if (best.going) going ??= longer(f, best.going)
    else waiting ??= onlyHere(best.device ? 'safe.waits' : 'safe.unknown', best.device ? waits(best.device, f) : { folder: f.label })
  }
  if (waiting) return waiting
  const looking = giving.find((f) => f.state === 'scanning')
  if (going) return going
  if (looking) return { kind: 'longer', title: 'safe.longer', line: 'safe.looking', params: { folder: looking.label }, tone: 'acc' }
  return { kind: 'safe', title: 'safe.yes', line: 'safe.yes.line', params: none, tone: 'ok' }
}

function longer(f: Folder, d: Device): Safe {
  const there = fractionThere(f, d)
  const need = lacks(d, f.id)
  if (need.bytes === 0) {
    return { kind: 'longer', title: 'safe.longer', line: 'safe.going-bare', tone: 'acc', progress: there, params: { folder: f.label, device: d.name, n: need.items } }
  }
  const done = Math.max(0, f.global.bytes - need.bytes)
  return {
    kind: 'longer', title: 'safe.longer', line: 'safe.going', tone: 'acc', progress: there,
    params: { folder: f.label, device: d.name, bytes: done, whole: f.global.bytes },
  }
}

function waits(d: Device, f: Folder): Params {
  const params: Params = { device: d.name, folder: f.label, n: lacks(d, f.id).items }
  if (d.last_seen !== undefined) params['time'] = d.last_seen
  return params
}

/** How well the other devices hold what is here. */
function bestCopy(s: Snapshot, f: Folder): { safe: boolean; going?: Device; device?: Device } {
  const devices = sharers(s, f)
  if (devices.some((d) => hasAll(d, f.id))) return { safe: true }
  const going = receivers({ folder: f, devices }).sort((a, b) => lacks(a, f.id).bytes - lacks(b, f.id).bytes)[0]
  if (going) return { safe: false, going }
  const device = devices.filter((d) => d.folders[f.id] !== undefined).sort((a, b) => lacks(a, f.id).items - lacks(b, f.id).items)[0]
  return device ? { safe: false, device } : { safe: false }
}
