/** What was handed to these pages from outside: to be looked at, never acted upon by itself. */

class Handed {
  /** A link of an invitation. */
  link = $state('')
  /** A directory that was dropped on the window. */
  path = $state('')
  /** The name of what was dropped, where the directory is the one in which it lies. */
  file = $state('')

  /** Gives one of them, and forgets it. */
  take(what: 'link' | 'path' | 'file'): string {
    const got = this[what]
    this[what] = ''
    return got
  }
}

export const handed = new Handed()
