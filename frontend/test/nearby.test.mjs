// Devices that find each other, in a network of their own: one that this test
// makes, so that nothing is heard or said outside.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { House } from './house.mjs'

const network = `ip link set lo up && ip link add lan0 type veth peer name lan1 && ip addr add 10.77.0.1/24 dev lan0 &&
  ip link set lan1 up && ip link set lan0 multicast on up && ip route add 224.0.0.0/4 dev lan0 && exec "$@"`
let house

if (process.env.LANYARD_INSIDE === undefined) {
  test('devices nearby', () => {
    const own = process.getuid() === 0 ? [] : ['--user', '--map-root-user']
    const args = [...own, '--net', '--fork', '--kill-child', 'sh', '-c', network, 'sh', process.execPath, '--test', '--test-reporter=spec', fileURLToPath(import.meta.url)]
    const env = { ...process.env, LANYARD_INSIDE: '1' }
    delete env.NODE_TEST_CONTEXT // the tests inside report for themselves
    const done = spawnSync('unshare', args, { encoding: 'utf8', env, timeout: 120_000 })
    assert.equal(done.status, 0, `${done.stdout}\n${done.stderr}`)
  })
} else {
  before(async () => {
    house = await House.build()
  })
  after(() => house?.raze())

  test('two devices see each other by name, compare six digits and are connected', async () => {
    const [a, b] = await Promise.all(['anna', 'ben'].map((name) => house.device(name, { nearby: true })))
    const [pageA, pageB] = await Promise.all([a.open(), b.open()])
    const rename = async (page, name) => {
      await page.getByLabel('This computer is called').fill(name)
      await page.keyboard.press('Tab')
    }
    await rename(pageA, "Anna's laptop")
    await rename(pageB, 'Ben <b>')
    await pageA.evaluate(() => (location.hash = '#/connect'))
    const row = pageA.locator('.near li', { hasText: 'Ben <b>' })
    await row.waitFor()
    assert.ok(!(await row.innerText()).includes(b.id.slice(0, 7)), 'its ID is shown')

    // The first time they differ, as someone says; nothing is stored.
    await row.getByRole('button', { name: 'Connect' }).click()
    await pageB.getByText(/^Does .*Anna's laptop.* show the same number/).waitFor()
    await pageB.getByRole('button', { name: 'No, different' }).click()
    await Promise.all([pageA, pageB].map((p) => p.getByText('The numbers differ, so nothing was connected').first().waitFor()))
    assert.deepEqual([(await a.status()).devices, (await b.status()).devices], [[], []])

    // After a mismatch neither device takes another run for a second, and five
    // tries a minute are all that one address has.
    await new Promise((over) => setTimeout(over, 1500))
    await row.getByRole('button', { name: 'Connect' }).click()
    await Promise.all([pageA, pageB].map((p) => p.locator('.digits').waitFor()))
    const digits = await Promise.all([pageA, pageB].map((p) => p.locator('.digits').innerText()))
    assert.match(digits[0], /^\d{3}\s*\d{3}$/)
    assert.equal(digits[0], digits[1])
    await pageA.getByRole('button', { name: 'Yes, the same' }).click()
    assert.deepEqual((await b.status()).devices, [], 'one side alone')
    await pageB.getByRole('button', { name: 'Yes, the same' }).click()
    await Promise.all([pageA, pageB].map((p) => p.getByText(/is connected, verified/).first().waitFor()))
    assert.deepEqual([...pageA.faults, ...pageB.faults], [])
  })
}
