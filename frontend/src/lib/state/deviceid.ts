/** Device IDs as people type them: 56 signs in 8 groups of 7, the last of every 14 a check sign. */
import type { Params } from '../text/fill'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const signs = 56

/** Puts hyphens between the groups while one types, and mends what is often misread. */
export function grouped(text: string): string {
  const plain = clean(text)
  if (/[^A-Z2-7]/.test(plain)) return text
  return (plain.match(/.{1,7}/g) ?? []).join('-')
}

function clean(text: string): string {
  return text.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('0', 'O').replaceAll('1', 'I').replaceAll('8', 'B')
}

/** What is wrong with an ID, undefined where nothing is. The engine checks it again. */
export function idFault(text: string): { key: 'id.sign' | 'id.length' | 'id.check'; params: Params } | undefined {
  const plain = clean(text)
  const wrong = /[^A-Z2-7]/u.exec(plain)
  if (wrong) return { key: 'id.sign', params: { sign: wrong[0] } }
  if (plain.length === 52) return undefined
  if (plain.length !== signs) return { key: 'id.length', params: { n: plain.length } }
  for (let part = 0; part < 4; part++) {
    const piece = plain.slice(part * 14, part * 14 + 14)
    if (checkSign(piece.slice(0, 13)) !== piece[13]) return { key: 'id.check', params: { from: part * 2 + 1, to: part * 2 + 2 } }
  }
  return undefined
}

/** The check sign of 13 others: Luhn's algorithm modulo 32, as Syncthing does it. */
export function checkSign(piece: string): string {
  let factor = 1
  let sum = 0
  for (const c of piece) {
    const addend = factor * alphabet.indexOf(c)
    factor = factor === 2 ? 1 : 2
    sum += Math.floor(addend / 32) + (addend % 32)
  }
  return alphabet[(32 - (sum % 32)) % 32] ?? ''
}
