/** What was handed to these pages from outside: to be looked at, never acted upon by itself. */

class Handed {
  /** A link of an invitation. */
  link = $state('')
  /** A directory that was dropped on the window. */
  path = $state('')

  /** Gives the link or the directory, and forgets it. */
  take(what: 'link' | 'path'): string {
    const got = this[what]
    this[what] = ''
    return got
  }
}

export const handed = new Handed()
