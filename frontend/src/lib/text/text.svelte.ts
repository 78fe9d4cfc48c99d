/** The sentences of the pages in the chosen language, from the one catalogue of each. */
// By section: what the command line and the tray alone say is not in the pages.
import { answers as deAnswers, nothing_lost as deNothingLost, problems as deProblems, refusals as deRefusals, well as deWell, window as deWindow } from '../../../../app/text/de.json'
import { answers, nothing_lost, problems, refusals, well as foundNothing, window as pages } from '../../../../app/text/en.json'
import { fill, type Params } from './fill'
import * as format from './format'
import { shown } from './names'

const en = { answers, nothing_lost, problems, refusals, well: foundNothing, window: pages }
const de = { answers: deAnswers, nothing_lost: deNothingLost, problems: deProblems, refusals: deRefusals, well: deWell, window: deWindow }

export type Key = keyof typeof pages
export type Language = 'en' | 'de'

const catalogues = { en, de }
const kept = 'lanyard.language'

/** What the system prefers among the languages that there are. */
export function preferred(languages: readonly string[]): Language {
  for (const l of languages) {
    if (l.startsWith('de')) return 'de'
    if (l.startsWith('en')) return 'en'
  }
  return 'en'
}

class Speech {
  /** '' follows the system. */
  choice = $state<Language | ''>(known(localStorage.getItem(kept)))
  language = $derived<Language>(this.choice === '' ? preferred(navigator.languages) : this.choice)
  /** The locale for numbers and times: the system's variant of the language where it has one. */
  locale = $derived(navigator.languages.find((l) => l.startsWith(this.language)) ?? this.language)
  catalogue = $derived(catalogues[this.language])

  choose(language: Language | ''): void {
    this.choice = language
    if (language === '') localStorage.removeItem(kept)
    else localStorage.setItem(kept, language)
  }
}

function known(s: string | null): Language | '' {
  return s === 'en' || s === 'de' ? s : ''
}

export const speech = new Speech()

/** Gives a sentence of the pages. A test holds that every one is there with its values. */
export function t(key: Key, params: Params = {}): string {
  const sentence = speech.catalogue.window[key]
  return fill(sentence, params, speech.locale) ?? sentence
}

export const size = (bytes: number): string => format.size(bytes, speech.locale)
export const sizeOf = (done: number, total: number): string => {
  const [part, whole] = format.sizeOf(done, total, speech.locale)
  return t('size.of', { part, of: whole })
}
export const rate = (perSecond: number): string | undefined => format.rate(perSecond, speech.locale)
export const count = (n: number): string => format.count(n, speech.locale)
export const when = (time: string): string => format.when(time, speech.locale)
export const from = (time: string): string => format.from(time, speech.locale)
export const roughly = (seconds: number): string => format.roughly(seconds, speech.locale)
export const day = (time: string): string => format.day(time, speech.locale)
export const exactly = (time: string): string => format.exactly(time, speech.locale)

/** What there is to say where a check of the doctor found nothing. */
export const well = (check: string): string => (speech.catalogue.well as Record<string, string>)[check] ?? ''

interface Entry {
  severity: string
  title: string
  text: string
  buttons: string[]
}

/** A condition in words: a title, what it means for the files, and the labels of its buttons. */
export interface Worded {
  title: string
  text: string
  buttons: string[]
}

/** Words a condition; where a value is lacking, what the engine says of it stays. */
export function word(p: { code: string; text: string; param?: Record<string, string> }): Worded {
  const entry = (speech.catalogue.problems as Record<string, Entry>)[p.code]
  const params = p.param ?? {}
  const title = entry && fill(entry.title, params, speech.locale)
  if (!entry || title === undefined) return { title: p.text === '' ? p.code : shown(p.text), text: '', buttons: [] }
  const more = fill(entry.text, params, speech.locale) ?? ''
  const text = entry.severity === 'stop' ? `${more} ${speech.catalogue.nothing_lost}`.trim() : more
  const buttons = entry.buttons.map((b) => fill(b, params, speech.locale)).filter((b) => b !== undefined)
  return { title, text, buttons }
}

/**
 * What went wrong, in words: why something was refused, a condition where it is
 * one, else what whoever refused said.
 */
export function wrong(e: unknown): string {
  const { name, message, code, param = {} } = e as { name?: string; message?: string; code?: unknown; param?: Record<string, string> }
  const said = message ?? String(e)
  const refusals = speech.catalogue.refusals as Record<string, string>
  // Nobody translates what was not foreseen.
  const other = fill(refusals['other'] ?? '{item}', { item: said }, speech.locale) ?? said
  if (typeof code !== 'string') return name === 'Error' ? said : other // a plain one is in words of these pages
  const own = refusals[code]
  const refused = own === undefined ? undefined : fill(own, param, speech.locale)
  if (refused !== undefined) return refused
  const { title, text } = word({ code, text: said, param })
  if (title !== shown(said)) return text === '' ? title : `${title}. ${text}`
  return other
}

/** Words an explanation of why something is, or is not, in sync. */
export function wordWhy(w: { code: string; answer?: string; text: string; param?: Record<string, string> }): Worded {
  const here = `why.${w.answer ?? ''}`
  const own = here in speech.catalogue.window ? speech.catalogue.window[here as Key] : undefined
  const sentence = own ?? (speech.catalogue.answers as Record<string, string>)[w.answer ?? '']
  const filled = sentence && fill(sentence, w.param ?? {}, speech.locale)
  if (filled) return { title: filled, text: '', buttons: [] }
  return word(w)
}
