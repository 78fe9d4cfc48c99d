/**
 * Fills the sentences of the catalogues, by the same rules as the engine:
 *
 *   {name}            the value of a parameter
 *   {name|one|many}   a number: "one" where the language says so, else "many",
 *                     in which # stands for the number
 *   [...]             left out where a parameter in it has no value
 *
 * Values travel as programs write them: times are RFC 3339, sizes bytes, spans
 * seconds, lists have one entry on each line.
 */
import { count, once, size, span, when } from './format'
import { isolated } from './names'

const plurals = once((language: string, options: Intl.PluralRulesOptions) => new Intl.PluralRules(language, options))
const lists = once((language: string, options: Intl.ListFormatOptions) => new Intl.ListFormat(language, options))

export type Params = Record<string, string | number>

/** Gives the sentence, or undefined where a value is lacking: half a sentence is never shown. */
export function fill(sentence: string, params: Params, language: string, now = new Date()): string | undefined {
  const [text, whole] = part(sentence, params, language, now)
  return whole ? text.trim() : undefined
}

function part(s: string, params: Params, language: string, now: Date): [string, boolean] {
  let out = ''
  let whole = true
  while (s !== '') {
    const at = s.search(/[[{]/)
    if (at < 0) return [out + s, whole]
    out += s.slice(0, at)
    const optional = s[at] === '['
    const end = s.indexOf(optional ? ']' : '}', at)
    if (end < 0) return ['', false]
    const inner = s.slice(at + 1, end)
    s = s.slice(end + 1)
    if (optional) {
      const [text, ok] = part(inner, params, language, now)
      if (ok) out += text
    } else {
      const text = value(inner, params, language, now)
      whole &&= text !== undefined
      out += text ?? ''
    }
  }
  return [out, whole]
}

function value(mark: string, params: Params, language: string, now: Date): string | undefined {
  const [name = '', one, many] = mark.split('|')
  const raw = params[name]
  if (raw === undefined) return undefined
  if (one !== undefined) {
    const n = Number(raw)
    if (plurals(language, {}).select(n) === 'one') return one
    return (many ?? '').replaceAll('#', count(n, language))
  }
  switch (name) {
    case 'n':
    case 'total':
    case 'done':
    case 'percent':
      return count(Number(raw), language)
    case 'need':
    case 'free':
    case 'max':
    case 'size':
    case 'bytes':
    case 'whole':
      return size(Number(raw), language)
    case 'rate':
      return size(Number(raw), language)
    case 'time':
    case 'date':
      return typeof raw === 'string' ? when(raw, language, now) : String(raw)
    case 'span':
      return span(Number(raw), language)
    case 'eta': // the engine tells seconds, the pages words
      return Number.isNaN(Number(raw)) ? String(raw) : span(Number(raw), language)
    case 'devices':
      return lists(language, {}).format(String(raw).split('\n').map(isolated))
    // Texts of our own, already in words.
    case 'what':
    case 'state':
    case 'part':
    case 'of':
      return String(raw)
    default:
      return typeof raw === 'number' ? count(raw, language) : isolated(raw)
  }
}
