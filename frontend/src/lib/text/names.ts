/**
 * Names of files, folders and devices come from other people's computers. They
 * are shown as text, on one line, with what would turn or break the line made
 * visible.
 */

const marks: Record<string, string> = {
  '\n': '⏎', '\r': '⏎', '\t': '⇥', '\u200B': '⟨ZWSP⟩', '\u200E': '⟨LRM⟩', '\u200F': '⟨RLM⟩', '\u061C': '⟨ALM⟩',
  '\u202A': '⟨LRE⟩', '\u202B': '⟨RLE⟩', '\u202C': '⟨PDF⟩', '\u202D': '⟨LRO⟩', '\u202E': '⟨RLO⟩',
  '\u2066': '⟨LRI⟩', '\u2067': '⟨RLI⟩', '\u2068': '⟨FSI⟩', '\u2069': '⟨PDI⟩', '\u2028': '⏎', '\u2029': '⏎', '\uFEFF': '⟨BOM⟩',
}

/** The joiners U+200C and U+200D are left: writing and emoji need them. */
const odd = /[\p{Cc}\u00AD\u061C\u115F\u1160\u180E\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\u3164\uFEFF\uFFA0\uFFFD]/gu

/** Makes what cannot be seen visible. */
export function shown(name: string): string {
  return name.replaceAll(odd, (c) => marks[c] ?? `⟨${(c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(2, '0')}⟩`)
}

/** A name for use inside a sentence: shown, and kept from turning the words around it. */
export function isolated(name: string): string {
  return `\u2068${shown(name)}\u2069`
}

/** Takes the marks of isolated away, for where they would be read or compared. */
export function bare(text: string): string {
  return text.replaceAll(/[\u2068\u2069]/g, '')
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** Cuts a file name in the middle, keeping its extension and six characters before it. */
export function cut(name: string, most: number): string {
  const signs = Array.from(graphemes.segment(name), (s) => s.segment)
  if (signs.length <= most) return name
  const dot = signs.lastIndexOf('.')
  const extension = dot > 0 && signs.length - dot <= 12 ? signs.length - dot : 0
  const tail = Math.min(extension + 6, Math.floor(most / 2))
  return `${signs.slice(0, most - tail - 1).join('')}…${signs.slice(signs.length - tail).join('')}`
}

/** Gives the name and the directory of a path inside a folder. */
export function split(path: string): { name: string; dir: string } {
  const at = path.lastIndexOf('/')
  return { name: path.slice(at + 1), dir: at < 0 ? '' : path.slice(0, at) }
}

/** A directory as it is shown behind a name, cut at its bounds from the left. */
export function trail(dir: string, most = 3): string {
  const parts = dir.split('/').filter((p) => p !== '')
  if (parts.length <= most) return parts.map(shown).join(' / ')
  return `… / ${parts.slice(-most).map(shown).join(' / ')}`
}
