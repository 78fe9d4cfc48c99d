/** Light or dark, as the system or the person says. */

export type Choice = 'system' | 'light' | 'dark'

const kept = 'lanyard.theme'
const dark = matchMedia('(prefers-color-scheme: dark)')

class Theme {
  choice = $state<Choice>(known(localStorage.getItem(kept)))

  constructor() {
    dark.addEventListener('change', () => this.apply())
    this.apply()
  }

  choose(choice: Choice): void {
    this.choice = choice
    localStorage.setItem(kept, choice)
    this.apply()
  }

  apply(): void {
    document.documentElement.dataset['theme'] = this.choice === 'system' ? (dark.matches ? 'dark' : 'light') : this.choice
  }
}

function known(s: string | null): Choice {
  return s === 'light' || s === 'dark' ? s : 'system'
}

export const theme = new Theme()
