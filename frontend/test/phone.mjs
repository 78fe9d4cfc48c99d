// A phone with Syncthing: a real one, on the other host of the network.
import { execFile, execFileSync } from 'node:child_process'
import fs from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { until } from './house.mjs'
import { startThere, there } from './inside.mjs'

const run = promisify(execFile)
const key = 'phone'
const gui = 8384

export class Phone {
  constructor(root) {
    this.home = path.join(root, 'phone')
  }

  async start() {
    const { stdout, stderr } = await run('syncthing', ['generate', `--home=${this.home}`, '--skip-port-probing', '--no-default-folder'])
    this.id = /[A-Z2-7]{7}(-[A-Z2-7]{7}){7}/.exec(stdout + stderr)[0]
    const off = (names) => names.map((name) => `<${name}>false</${name}>`).join('')
    await fs.writeFile(path.join(this.home, 'config.xml'), `<configuration version="36">
<device id="${this.id}" name="Phone"><address>dynamic</address></device>
<gui enabled="true" tls="false"><address>${there}:${gui}</address><apikey>${key}</apikey></gui>
<options><listenAddress>tcp://0.0.0.0:22000</listenAddress><listenAddress>quic://0.0.0.0:22000</listenAddress>
<localAnnounceEnabled>true</localAnnounceEnabled>${off(['globalAnnounceEnabled', 'relaysEnabled', 'natEnabled', 'crashReportingEnabled', 'startBrowser'])}
<stunKeepaliveStartS>0</stunKeepaliveStartS><urAccepted>-1</urAccepted><autoUpgradeIntervalH>0</autoUpgradeIntervalH>
<reconnectionIntervalS>5</reconnectionIntervalS></options></configuration>`)
    this.process = startThere(['syncthing', 'serve', `--home=${this.home}`, '--no-browser', '--no-restart', '--no-upgrade', '--skip-port-probing', '--no-default-folder'],
      { env: { ...process.env, STNOUPGRADE: '1', STMONITORED: 'yes' }, stdio: 'ignore' })
    await until('the phone runs', () => this.ask('GET', 'system/ping'))
  }

  async ask(method, what, body) {
    const request = { method, headers: { 'X-API-Key': key }, ...(body && { body: JSON.stringify(body) }) }
    const answer = await fetch(`http://${there}:${gui}/rest/${what}`, request)
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${what}: ${answer.status} ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }

  /** Scans a code as its camera would, and gives what it says. */
  read(picture) {
    return execFileSync('zbarimg', ['--quiet', '--raw', picture], { encoding: 'utf8' }).trim()
  }

  /** Saves a device, as its person does after scanning its code. */
  async save(id, name) {
    await this.ask('PUT', `config/devices/${id}`, { deviceID: id, name, addresses: ['dynamic'] })
  }

  async isConnected(id) {
    return (await this.ask('GET', 'system/connections')).connections[id]?.connected === true
  }
}
