/** Offers that a person put aside for now. They stay under what needs them. */
import { SvelteSet } from 'svelte/reactivity'
import type { Offer } from '../backend/api'

const put = new SvelteSet<string>()
const keyOf = (o: Offer): string => `${o.device}\n${o.folder}`

export const aside = {
  has: (o: Offer): boolean => put.has(keyOf(o)),
  put: (o: Offer): void => void put.add(keyOf(o)),
}
