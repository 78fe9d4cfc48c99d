import { describe, expect, it } from 'vitest'
import faces from '../../../../app/tray/testdata/faces.json'
import type { Device, Folder, Snapshot } from '../backend/api'
import { device, folder } from './made.test-helper'
import { folderState, safeToClose, sharers } from './states'

interface Given {
  id?: string
  folder?: string
  connected?: boolean
  current?: boolean
  need: number
  bytes?: number
}

/** A case as the tray reads it: what it leaves out is as in a folder that is in sync with one device. */
function snapshot(c: { folders: unknown[]; devices: unknown[] }): Snapshot {
  const folders = c.folders.map((f) => folder(f as Partial<Folder>))
  const devices = (c.devices as Given[]).map((g): Device =>
    device(0, {
      id: g.id ?? 'B', connected: g.connected ?? true,
      folders: { [g.folder ?? 'f']: { need_items: g.need, need_bytes: g.bytes ?? 10 * g.need, current: g.current ?? true } },
    }),
  )
  return { folders, devices } as Snapshot
}

describe('the pages say what the tray says', () => {
  it.each(faces)('$name', (c) => {
    const s = snapshot(c)
    expect(safeToClose(s).title).toBe(c.safe)
    expect(s.folders.map((f) => folderState({ folder: f, devices: sharers(s, f) }).word)).toEqual(c.words)
  })
})
