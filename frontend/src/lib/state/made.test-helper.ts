/** Folders and devices for tests: whole, and changed as asked. */
import type { Device, Folder } from '../backend/api'

const count = { files: 100, dirs: 2, bytes: 1000 }

export function folder(change: Partial<Folder> = {}): Folder {
  return {
    id: 'f', label: 'Photos', path: '/p', type: 'send-receive', state: 'idle', problem: null as never, global: count, local: count,
    need: { items: 0, bytes: 0 }, conflicts: 0, held: 0, held_back: [], in_sync: true, problems: [], failed: [], failed_count: 0,
    progress: { done_bytes: 0, total_bytes: 0, rate: 0, seconds_left: 0, files: [] }, devices: ['B'], ...change,
  }
}

export function device(need: number, change: Partial<Device> = {}): Device {
  return {
    id: 'B', name: "Ben's laptop", connected: true, paused: false, address: 'tcp://x', reach: { direct: false }, client: 'c',
    folders: { f: { need_items: need, need_bytes: need * 10, current: true } },
    in_bytes: 0, out_bytes: 0, in_rate: 0, out_rate: 0, sending: [], problem: null as never, problems: [], ...change,
  } as Device
}
