declare module 'socket.io-client-v2' {
  interface LegacySocket {
    readonly id: string
    on(event: string, listener: (value: unknown) => void): void
    emit(event: string, answer: (value: { worker: string; id: string }) => void): void
    close(): void
  }
  export default function io(url: string, options: { forceNew: boolean }): LegacySocket
}
