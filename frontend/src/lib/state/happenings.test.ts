import { describe, expect, it } from 'vitest'
import type { Happening } from '../backend/api'
import { fold, merge } from './happenings'

const at = (seq: number, more: Partial<Happening> = {}): Happening => ({
  seq: String(seq), time: new Date(Date.UTC(2026, 10, 21, 14, 0, seq)).toISOString(), what: 'added', folder: 'p', label: 'Photos', path: `${seq}.jpg`,
  from: '', device: 'A', name: 'Anna', bytes: 10, count: 0, code: '', text: '', ...more,
})
const newest = (...list: Happening[]): Happening[] => list.toReversed()
const shown = (entries: Happening[], opened: string[] = []): string[] =>
  fold(entries, new Set(opened)).map((r) => `${r.within ? '  ' : ''}${r.key} ${r.h.what} ×${r.n}${r.open === undefined ? '' : r.open ? ' open' : ' closed'}`)

describe('what happened', () => {
  it('is folded where one device did the same to many files within a minute', () => {
    const entries = newest(at(1), at(2), at(3), at(4, { device: 'B' }), at(5, { device: 'B' }), at(6, { what: 'connected' }))
    expect(shown(entries)).toEqual(['6 connected ×1', '5 added ×1', '4 added ×1', 'many 1 added ×3 closed'])
    expect(shown(entries, ['many 1'])).toEqual(['6 connected ×1', '5 added ×1', '4 added ×1', 'many 1 added ×3 open', '  3 added ×1', '  2 added ×1', '  1 added ×1'])
  })
  it('keeps a row open while others join it', () => {
    expect(shown(newest(at(1), at(2), at(3), at(4)), ['many 1'])[0]).toBe('many 1 added ×4 open')
  })
  it('counts those that have no entry of their own', () => {
    expect(shown(newest(at(1), at(2), at(3, { count: 24_950, path: '' })))).toEqual(['many 1 added ×24952 closed'])
    expect(shown([at(3, { count: 24_950, path: '' })])).toEqual(['many 3 added ×24950'])
    expect(fold(newest(at(1), at(2), at(3, { count: 8, bytes: 80 })), new Set())[0]?.bytes).toBe(100)
  })
  it('does not fold what is a minute apart, nor what is no file', () => {
    expect(shown(newest(at(1), at(2), at(62)))).toHaveLength(3)
    expect(shown([1, 2, 3, 4].map((n) => at(n, { what: 'raised' })))).toHaveLength(4)
  })
})

const seqs = (have: Happening[], haveNext: string, part: Happening[], next: string): string => {
  const m = merge(have, haveNext, part, next)
  return `${m.entries.map((h) => h.seq).join(' ')} then ${m.next}`
}

describe('a newest part', () => {
  it('takes the place of what it tells of, and keeps what follows it', () => {
    expect(seqs(newest(at(1), at(2), at(3), at(4)), '1', newest(at(4), at(5)), '4')).toBe('5 4 3 2 1 then 1')
    expect(seqs(newest(at(3), at(4)), '3', newest(at(3), at(4), at(5)), '3')).toBe('5 4 3 then 3')
  })
  it('is all there is where nothing is older', () => expect(seqs(newest(at(1), at(2)), '1', newest(at(2)), '')).toBe('2 then '))
  it('gives up what may not follow it', () => expect(seqs(newest(at(1), at(2)), '', newest(at(8), at(9)), '8')).toBe('9 8 then 8'))
})
