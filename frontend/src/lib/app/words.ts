/** What waits for a person, in words. */
import type { Held } from '../backend/api'
import { fill, type Params } from '../text/fill'
import { speech, t, word, type Worded } from '../text/text.svelte'
import type { Need } from './needs'

/** The condition, with the name of its folder where the sentence lacks it. */
export function cause(n: Need): Worded {
  const words = word(n.problem)
  if (n.folder && !words.title.includes(n.folder.label)) return { ...words, title: t('needs.in', { folder: n.folder.label, what: words.title }) }
  return words
}

/** The numbers of deletions that are held. */
export function heldParams(h: Held): Params {
  const params: Params = { n: h.files, total: h.total }
  if (h.devices.length > 0) params['devices'] = h.devices.join('\n')
  return params
}

/** The labels for putting back and for deleting, and what stands above them. */
export function heldWords(h: Held): Worded {
  const entry = speech.catalogue.problems[h.direction === 'incoming' ? 'deletions-held' : 'own-deletions-held']
  const say = (s: string): string => fill(s, heldParams(h), speech.locale) ?? ''
  return { title: say(entry.title), text: say(entry.text), buttons: entry.buttons.map((b) => say(b)) }
}
