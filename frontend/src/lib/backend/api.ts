/** What the pages ask of the engine, by name. */
import { built, call, type Schemas } from './transport'

export type Snapshot = Schemas['Snapshot']
export type Folder = Schemas['Folder']
export type Device = Schemas['Device']
export type Problem = Schemas['Problem']
export type HeldFile = Schemas['HeldFile']
export type Held = Schemas['Held']
export type Why = Schemas['Why']
export type StoredVersion = Schemas['StoredVersion']
export type Offer = Schemas['Offer']
export type Preview = Schemas['Preview']
/** What is kept of two versions. */
export type Keep = 'both' | 'mine' | 'theirs'
export type TwoVersions = Schemas['TwoVersions']
export type OneVersion = Schemas['OneVersion']
export type Network = Schemas['Network']
export type Checkup = Schemas['Checkup']
export type RulesTried = Schemas['RulesTried']
export type Listed = Schemas['Listed']
export type Stands = Schemas['Place']
export type RemovedDevice = Schemas['RemovedDevice']
export type Happening = Schemas['Happening']
export type ActivityPart = Schemas['Activity']
export type Run = Schemas['PairingRun']
export type Asked = Schemas['PairingAsked']
export type Neighbour = Schemas['Neighbour']
export type Invited = Schemas['Invited']
export type Reading = Schemas['Reading']

/** Which of what happened is wanted; all where nothing is said. */
export interface Asking {
  before?: string
  folder?: string
  device?: string
  kind?: 'files' | 'devices' | 'folders' | 'problems'
  search?: string
}

/** Which part of a list is wanted. */
export interface Place {
  from: number
  most: number
}

/** Comparing what stands at a place reads files of it, which may take minutes. */
const lookPatience = 600_000

export const api = {
  addDevice: (body: Schemas['NewPeer']) => call('post', '/devices', { body }),
  changeDevice: (device: string, body: Schemas['PeerChange']) => call('patch', '/devices/{device}', { path: { device }, body }),
  removeDevice: (device: string) => call('delete', '/devices/{device}', { path: { device } }),
  whyDevice: (device: string) => call('get', '/devices/{device}/why', { path: { device } }),
  addFolder: (body: Schemas['NewShare']) => call('post', '/folders', { body }),
  lookAt: (path: string) => call('post', '/folders/look', { body: { path } }),
  acceptFolder: (folder: string, body: Schemas['Acceptance']) => call('post', '/folders/{folder}/accept', { path: { folder }, body }, lookPatience),
  refuseFolder: (folder: string, device: string, refused: boolean) => call('post', '/offers/{folder}', { path: { folder }, body: { devices: [device], refused } }),
  previewFolder: (folder: string, body: Schemas['PreviewRequest']) => call('post', '/offers/{folder}/preview', { path: { folder }, body }, lookPatience),
  pauseFolder: (folder: string, paused: boolean) => call('patch', '/folders/{folder}', { path: { folder }, body: { paused } }),
  removeFolder: (folder: string) => call('delete', '/folders/{folder}', { path: { folder } }),
  share: (folder: string, device: string) => call('put', '/folders/{folder}/devices/{device}', { path: { folder, device } }),
  unshare: (folder: string, device: string) => call('delete', '/folders/{folder}/devices/{device}', { path: { folder, device } }),
  heldFiles: (folder: string, direction: 'incoming' | 'outgoing', query: { find: string } & Place) =>
    call('get', '/folders/{folder}/held/{direction}', { path: { folder, direction }, query }),
  decideHeld: (folder: string, choice: 'apply' | 'restore', token: string) =>
    call('post', '/folders/{folder}/held', { path: { folder }, body: { do: choice, token } }),
  scan: (folder: string) => call('post', '/scan', { body: { folder } }),
  why: (folder: string, path: string) => call('get', '/folders/{folder}/why', { path: { folder }, query: { path } }),
  versions: (folder: string, query: { path: string } & Place) => call('get', '/folders/{folder}/versions', { path: { folder }, query }),
  restore: (folder: string, body: Schemas['RestoreRequest']) => call('post', '/folders/{folder}/restore', { path: { folder }, body }),
  conflicts: (folder: string, query: { find: string } & Place) => call('get', '/folders/{folder}/conflicts', { path: { folder }, query }),
  conflict: (folder: string, path: string) => call('get', '/folders/{folder}/conflict', { path: { folder }, query: { path } }),
  settle: (folder: string, body: Schemas['Settling']) => call('post', '/folders/{folder}/conflicts', { path: { folder }, body }),
  activity: (query: Asking) => call('get', '/activity', { query }),
  networks: () => call('get', '/networks'),
  doctor: () => call('post', '/doctor'),
  /** The terms of what is in the program, and of what is in the pages. */
  licences: async () => `${(await call('get', '/licences')).text}\n${await built('licences.txt')}`,
  support: () => call('get', '/support'),
  rules: (folder: string) => call('get', '/folders/{folder}/rules', { path: { folder } }),
  tryRules: (folder: string, text: string) => call('post', '/folders/{folder}/rules', { path: { folder }, body: { text } }),
  setRules: (folder: string, body: Schemas['Rules']) => call('put', '/folders/{folder}/rules', { path: { folder }, body }),
  files: (folder: string, query: { path: string; find: string } & Place) => call('get', '/folders/{folder}/files', { path: { folder }, query }),
  needed: (folder: string, query: Place) => call('get', '/folders/{folder}/needed', { path: { folder }, query }),
  trustNetwork: (network: string, trusted: boolean) => call('put', '/networks/{network}/trust', { path: { network }, body: { trusted } }),
  openPane: () => call('put', '/pairing/pane'),
  closePane: () => call('delete', '/pairing/pane'),
  openInvitation: () => call('post', '/pairing/invitation', { body: {} }),
  closeInvitation: (id: string) => call('delete', '/pairing/invitation/{id}', { path: { id } }),
  readInvitation: (link: string) => call('post', '/pairing/read', { body: { link } }),
  takeInvitation: (body: Schemas['Taking']) => call('post', '/pairing/accept', { body }),
  chooseNearby: (device: string) => call('post', '/pairing/nearby', { body: { device } }),
  answer: (id: string, yes: boolean) => call('post', '/pairing/questions/{id}', { path: { id }, body: { yes } }),
  allowNumbers: () => call('post', '/pairing/allow-numbers'),
  startup: () => call('get', '/startup'),
  startAtLogin: (login: boolean) => call('put', '/startup', { body: { login } }),
  rename: (name: string) => call('patch', '/id', { body: { name } }),
}
