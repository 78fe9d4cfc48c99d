/** What a long list shows: an array, or rows that are fetched as they come into sight. */
export interface Rows<T> {
  readonly length: number
  /** The row at a place, undefined where it is not here yet. */
  at(place: number): T | undefined
  /** The place of the row with a key, -1 where it is not known; an array is searched. */
  place?(key: string): number
  /** Told which rows are in sight, from the first to before the last. */
  sight?(first: number, last: number): void
}
