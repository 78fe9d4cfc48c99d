import { describe, expect, it } from 'vitest'
import type { Snapshot } from '../backend/api'
import { bare } from '../text/names'
import { matching, targets } from './targets'

const state = {
  folders: [{ id: 'p', label: 'Fotos Übersee', state: 'idle' }, { id: 'd', label: '<b>Docs</b>\u202E', state: 'paused' }],
  devices: [{ id: 'B'.repeat(56), name: "Ben's laptop", paused: false }],
} as unknown as Snapshot
const names = (typed: string): string[] => matching(targets(state), typed).map((f) => bare(f.name))

describe('what one can go to', () => {
  it('is found by any part of its name, whatever the case and the accents, and its beginnings first', () => {
    expect(names('ubersee')[0]).toBe('Fotos Übersee')
    expect(names('laptop ben')[0]).toBe("Ben's laptop")
    expect(names('s')[0]).toBe('Share a folder')
    expect(names('nowhere')).toEqual([])
  })
  it('is everything where nothing is typed, folders first', () => {
    expect(names('')[0]).toBe('Fotos Übersee')
    expect(names('')).toEqual(expect.arrayContaining(['Overview', 'Activity', 'Keys', 'Pause Fotos Übersee', "Pause Ben's laptop"]))
  })
  it('offers what can be done now', () => {
    expect(names('docs')).toEqual(['<b>Docs</b>⟨RLO⟩', 'Files in <b>Docs</b>⟨RLO⟩', 'Resume <b>Docs</b>⟨RLO⟩'])
  })
})
