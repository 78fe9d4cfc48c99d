import { describe, expect, it } from 'vitest'
import { diff, type Row } from './diff'

/** "=a" same, "-a" left, "+a" right, "~a|b" changed, "…3" left out. */
const brief = (rows: Row[]): string[] =>
  rows.map((r) => {
    switch (r.kind) {
      case 'same': return `=${r.left?.[1]}`
      case 'left': return `-${r.left?.[1]}`
      case 'right': return `+${r.right?.[1]}`
      case 'changed': return `~${r.left?.[1]}|${r.right?.[1]}`
      default: return `…${r.n}`
    }
  })

describe('two texts side by side', () => {
  it.each([
    ['a\nb\nc\n', 'a\nx\nc\n', ['=a', '~b|x', '=c']],
    ['a\nc\n', 'a\nb\nc\n', ['=a', '+b', '=c']],
    ['a\nb\nc', 'a\r\nc', ['=a', '-b', '=c']],
    ['', 'a\n', ['+a']],
    ['same\n', 'same\n', ['=same']],
  ])('%j and %j', (a, b, want) => expect(brief(diff(a, b))).toEqual(want))
  it('leave out what is the same far from a difference, and count the lines rightly', () => {
    const all = Array.from({ length: 30 }, (_, i) => `line ${i}`)
    const rows = diff(all.join('\n'), all.with(20, 'other').join('\n'))
    expect(brief(rows)).toEqual(['…17', '=line 17', '=line 18', '=line 19', '~line 20|other', '=line 21', '=line 22', '=line 23', '…6'])
    expect(rows[4]?.left?.[0]).toBe(21)
  })
  it('give back both texts, however they differ', () => {
    let seed = 7
    const chance = (n: number): number => (seed = (seed * 1103515245 + 12345) % 2147483648) % n
    for (let round = 0; round < 200; round++) {
      const text = (): string[] => Array.from({ length: chance(12) }, () => 'abc'[chance(3)] ?? '')
      const [a, b] = [text(), text()]
      const rows = diff(a.join('\n'), b.join('\n'))
      const back = (side: 'left' | 'right'): string[] => rows.flatMap((r) => (r[side] ? [r[side][1]] : []))
      if (rows.some((r) => r.kind === 'gap')) continue
      expect([back('left'), back('right')]).toEqual([a, b])
    }
  })
  it('of a hundred thousand lines are compared in a moment', () => {
    const long = Array.from({ length: 100_000 }, (_, i) => `${i}`)
    expect(diff(long.join('\n'), long.toReversed().join('\n')).length).toBe(100_000)
  })
})
