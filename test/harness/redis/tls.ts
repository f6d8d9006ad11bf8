/** Certificates of a test authority, made with openssl: for a server `localhost` / 127.0.0.1, and for a client. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../command.ts'

export interface TestCertificates {
  readonly directory: string
  readonly caFile: string
  readonly certificateFile: string
  readonly keyFile: string
  readonly clientCertificateFile: string
  readonly clientKeyFile: string
  /** Whether the server requires a client certificate. */
  askClients: boolean
  remove(): Promise<void>
}

export async function makeCertificates(serverName = 'localhost'): Promise<TestCertificates> {
  const directory = await mkdtemp(join(tmpdir(), 'rookery-tls-'))
  const file = (name: string) => join(directory, name)
  const openssl = async (...args: string[]) => {
    const { code, stderr } = await run('openssl', args, { cwd: directory })
    if (code !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`)
  }
  const newKey = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  await openssl(
    ...newKey,
    '-x509',
    '-days',
    '2',
    '-subj',
    '/CN=test authority',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
  )
  await writeFile(file('names'), `subjectAltName=DNS:${serverName},IP:127.0.0.1\n`)
  for (const name of ['server', 'client']) {
    await openssl(...newKey, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`)
    const signing = [
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
    ]
    await openssl(...signing, '-days', '2', '-extfile', 'names', '-out', `${name}.crt`)
  }
  return {
    directory,
    caFile: file('ca.crt'),
    certificateFile: file('server.crt'),
    keyFile: file('server.key'),
    clientCertificateFile: file('client.crt'),
    clientKeyFile: file('client.key'),
    askClients: false,
    remove: () => rm(directory, { recursive: true, force: true }),
  }
}
