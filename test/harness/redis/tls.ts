/** Certificates of a test authority, made with openssl: for servers, and for a client. */
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
  const directory = await makeAuthority()
  await makeCertificate(directory, 'client', `DNS:${serverName},IP:127.0.0.1`)
  return serverCertificates(directory, 'server', `DNS:${serverName},IP:127.0.0.1`)
}

/** Certificates of one authority for several servers: each is for one name, and for no address. */
export async function makeNamedCertificates(names: readonly string[]): Promise<TestCertificates[]> {
  const directory = await makeAuthority()
  const made: TestCertificates[] = []
  for (const name of names) made.push(await serverCertificates(directory, name, `DNS:${name}`))
  return made
}

const NEW_KEY = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

async function openssl(directory: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await run('openssl', args, { cwd: directory })
  if (code !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`)
}

async function makeAuthority(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'rookery-tls-'))
  const files = ['-keyout', 'ca.key', '-out', 'ca.crt']
  await openssl(directory, ...NEW_KEY, '-x509', '-days', '2', '-subj', '/CN=test authority', ...files)
  return directory
}

async function makeCertificate(directory: string, name: string, validFor: string): Promise<void> {
  const [key, request, out] = [`${name}.key`, `${name}.csr`, `${name}.crt`]
  await openssl(directory, ...NEW_KEY, '-subj', `/CN=${name}`, '-keyout', key, '-out', request)
  await writeFile(join(directory, 'names'), `subjectAltName=${validFor}\n`)
  const signing = ['x509', '-req', '-in', request, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial']
  await openssl(directory, ...signing, '-days', '2', '-extfile', 'names', '-out', out)
}

async function serverCertificates(
  directory: string,
  name: string,
  validFor: string,
): Promise<TestCertificates> {
  await makeCertificate(directory, name, validFor)
  const file = (part: string) => join(directory, part)
  return {
    directory,
    caFile: file('ca.crt'),
    certificateFile: file(`${name}.crt`),
    keyFile: file(`${name}.key`),
    clientCertificateFile: file('client.crt'),
    clientKeyFile: file('client.key'),
    askClients: false,
    remove: () => rm(directory, { recursive: true, force: true }),
  }
}
