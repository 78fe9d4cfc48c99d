/** The dialogs that open over any page; one at a time. */

class Panel {
  open = $state<'' | 'go' | 'keys'>('')

  show(which: 'go' | 'keys'): void {
    this.open = which
  }

  close(): void {
    this.open = ''
  }
}

export const panel = new Panel()
