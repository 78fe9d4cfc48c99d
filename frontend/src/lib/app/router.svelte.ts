/** The place in the pages is the hash of the address, so that reload and back work. */

export type Place =
  | { page: 'overview' | 'needs' | 'transfers' | 'settings' | 'doctor' | 'support' | 'licences' | 'more' }
  | { page: 'activity'; folder: string; device: string; kind: string; search: string }
  | { page: 'connect'; tab: string; id: string }
  | { page: 'share'; device: string }
  | { page: 'folder'; id: string; tab: string; path: string }
  | { page: 'device'; id: string }
  | { page: 'offer'; folder: string; device: string }
  | { page: 'why'; folder: string; path: string }
  | { page: 'conflict'; folder: string; path: string }
  | { page: 'versions'; folder: string; path: string }

const plain = ['needs', 'transfers', 'settings', 'doctor', 'support', 'licences', 'more'] as const

/** Reads a place; anything unknown is the overview. */
export function parse(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  const parts = path.split('/').map(decode)
  const params = new URLSearchParams(query)
  const [first = '', id = '', tab = ''] = parts
  if (first === 'folder' && id !== '') return { page: 'folder', id, tab, path: params.get('path') ?? '' }
  if (first === 'offer' && id !== '') return { page: 'offer', folder: id, device: tab }
  if (first === 'device' && id !== '') return { page: 'device', id }
  if ((first === 'why' || first === 'versions' || first === 'conflict') && id !== '') return { page: first, folder: id, path: params.get('path') ?? '' }
  if (first === 'activity') {
    const [folder = '', device = '', kind = '', search = ''] = ['folder', 'device', 'kind', 'search'].map((name) => params.get(name) ?? '')
    return { page: 'activity', folder, device, kind, search }
  }
  if (first === 'connect') return { page: 'connect', tab: id, id: params.get('id') ?? '' }
  if (first === 'share') return { page: 'share', device: params.get('device') ?? '' }
  const page = plain.find((p) => p === first)
  return { page: page ?? 'overview' }
}

function decode(s: string): string {
  try {
    return decodeURIComponent(s)
  } catch {
    return ''
  }
}

const part = encodeURIComponent

export const to = {
  overview: '#/',
  needs: '#/needs',
  transfers: '#/transfers',
  activity: '#/activity',
  /** What happened, of which only some is wanted. */
  activityOf: (wanted: Record<string, string>) => {
    const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value !== '')).toString()
    return `#/activity${query === '' ? '' : `?${query}`}`
  },
  settings: '#/settings',
  doctor: '#/doctor',
  support: '#/support',
  licences: '#/licences',
  connect: '#/connect',
  /** One of the ways to connect: 'code' or 'id', of which something may be known already. */
  connectBy: (way: 'code' | 'id', id = '') => `#/connect/${way}${id === '' ? '' : `?id=${part(id)}`}`,
  share: '#/share',
  shareWith: (device: string) => `#/share?device=${part(device)}`,
  more: '#/more',
  folder: (id: string, tab = '') => `#/folder/${part(id)}${tab === '' ? '' : `/${tab}`}`,
  files: (id: string, path: string) => `#/folder/${part(id)}/files${path === '' ? '' : `?path=${part(path)}`}`,
  offer: (folder: string, device: string) => `#/offer/${part(folder)}/${part(device)}`,
  device: (id: string) => `#/device/${part(id)}`,
  why: (folder: string, path: string) => `#/why/${part(folder)}?path=${part(path)}`,
  conflict: (folder: string, path: string) => `#/conflict/${part(folder)}?path=${part(path)}`,
  versions: (folder: string, path: string) => `#/versions/${part(folder)}?path=${part(path)}`,
}

class Router {
  place = $state.raw<Place>(parse(location.hash))
  /** How often another page was opened. */
  moves = $state(0)

  constructor() {
    addEventListener('hashchange', () => {
      this.place = parse(location.hash)
      this.moves++
    })
  }

  go(hash: string): void {
    location.hash = hash
  }

  /** Changes what is said of the place, without a step back to what was said before. */
  amend(hash: string): void {
    history.replaceState(null, '', hash)
    this.place = parse(hash)
  }
}

export const router = new Router()
