import { fireEvent, render, screen } from '@testing-library/svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { api, type Preview, type Snapshot } from '../lib/backend/api'
import { Refused } from '../lib/backend/transport'
import Offer from './Offer.svelte'

const offer = { folder: 'f', device: 'B', name: "Ben's laptop", label: 'Photos', path: '/p', connected: true, counted: true, joined: false, files: 60, bytes: 900, free: 1e9 }
const snapshot = { offers: [offer], devices: [], folders: [] } as unknown as Snapshot
const version = (bytes: number): Preview['names'][number]['here'] => ({ bytes, modified: '2026-11-03T10:00:00Z' })
const preview = (more: Partial<Preview>): Preview => ({
  folder: 'f', device: 'B', path: '/p', same: { files: 38, bytes: 1 }, here: { files: 7, bytes: 1 }, there: { files: 10, bytes: 1 }, differ: 12,
  choices: ['both', 'mine', 'theirs'], token: 't1', unread: 0, incoming: 5, outgoing: 6, skipped: 0, complete: true, free: 1e9,
  names: [{ name: 'a.jpg', here: version(1000), there: version(3000) }], ...more,
})
const names = (): string[] => screen.queryAllByRole('radio', { name: /Keep|Take/ }).map((r) => (r as HTMLInputElement).value)
const page = async (p: Partial<Preview>): Promise<HTMLElement> => {
  vi.spyOn(api, 'previewFolder').mockResolvedValue(preview(p))
  const { container } = render(Offer, { snapshot, folder: 'f', device: 'B' })
  await vi.advanceTimersByTimeAsync(0)
  return container
}
const accept = async (): Promise<void> => {
  await fireEvent.click(screen.getByRole('button', { name: 'Accept' }))
  await vi.advanceTimersByTimeAsync(0)
}

beforeEach(() => vi.useFakeTimers())
afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

describe('what is to be kept of files that differ', () => {
  it('is both unless one side is chosen, each with what becomes of the other', async () => {
    const taken = vi.spyOn(api, 'acceptFolder').mockResolvedValue({} as never)
    const container = await page({})
    expect(names()).toEqual(['both', 'mine', 'theirs'])
    expect((screen.getByRole('radio', { name: 'Keep both' }) as HTMLInputElement).checked).toBe(true)
    for (const r of screen.getAllByRole('radio', { name: /Keep|Take/ })) {
      expect(document.getElementById(r.getAttribute('aria-describedby') ?? '')?.textContent).toMatch(/copy|earlier version (there|here) and can be restored/)
    }
    // The names that differ are in sight, with size and time of both.
    expect(container.querySelector('details')?.open).toBe(true)
    expect(container.querySelector('.twins tbody')?.textContent).toMatch(/a\.jpg.*1 kB.*3 kB/)
    await accept()
    expect(taken.mock.calls).toEqual([['f', { devices: ['B'], path: '/p', type: 'send-receive', merge: true }]])
  })
  it.each([['mine', /^Keep mine/, "this computer's stay"], ['theirs', /^Take theirs, from .?Ben's laptop/u, 'come']] as const)('may be %s, for what was shown', async (value, label, said) => {
    const taken = vi.spyOn(api, 'acceptFolder').mockResolvedValue({} as never)
    const container = await page({})
    await fireEvent.click(screen.getByRole('radio', { name: label }))
    expect(container.querySelector('.plan .warn')?.textContent).toContain(said)
    expect(container.textContent).toContain('Of a file that changes before it is synced, both versions are kept.')
    await accept()
    expect(taken.mock.calls[0]?.[1]).toEqual({ devices: ['B'], path: '/p', type: 'send-receive', merge: true, differ: value, token: 't1' })
  })
  it('is not asked where nothing differs, or where the folder goes one way', async () => {
    await page({ differ: 0, names: [], choices: ['both'] })
    expect(names()).toEqual([])
    document.body.innerHTML = ''
    const taken = vi.spyOn(api, 'acceptFolder').mockResolvedValue({} as never)
    await page({})
    await fireEvent.click(screen.getByRole('radio', { name: /^Take theirs/ }))
    const kinds = screen.getAllByRole('radio').filter((r) => (r as HTMLInputElement).name === 'offer-kind')
    await fireEvent.click(kinds[1] as HTMLElement)
    expect(names()).toEqual([])
    await accept()
    expect(taken.mock.calls[0]?.[1]).not.toHaveProperty('differ')
  })
  it('says why there is no way to replace what the other device has', async () => {
    const container = await page({ choices: ['both', 'theirs'] })
    expect(names()).toEqual(['both', 'theirs'])
    expect(container.textContent).toContain('is not known to keep earlier versions')
  })
  it('is asked anew where something else differs by now', async () => {
    vi.spyOn(api, 'acceptFolder').mockRejectedValue(new Refused(409, 'moved', 'offer-moved'))
    const container = await page({})
    await fireEvent.click(screen.getByRole('radio', { name: /^Keep mine/ }))
    vi.mocked(api.previewFolder).mockResolvedValue(preview({ differ: 13, token: 't2' }))
    await accept()
    await vi.advanceTimersByTimeAsync(0)
    expect(api.previewFolder).toHaveBeenCalledTimes(2)
    expect(container.textContent).toContain('13 differ')
    expect(container.textContent).toContain('What differs was changed since it was shown')
    expect((screen.getByRole('radio', { name: 'Keep both' }) as HTMLInputElement).checked).toBe(true)
  })
})
