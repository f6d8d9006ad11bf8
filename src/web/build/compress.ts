/**
 * Build plugin: writes a compressed copy beside each file that gets smaller. The server sends the copies as
 * they are.
 */
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'

const COMPRESSIBLE = /\.(css|html|js|json|svg|txt|webmanifest)$/

const compressions = [
  ['.br', (source: Buffer) => brotliCompressSync(source, { params: brotliParams(source) })],
  ['.gz', (source: Buffer) => gzipSync(source, { level: constants.Z_BEST_COMPRESSION })],
] as const

function brotliParams(source: Buffer): Record<number, number> {
  return {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
    [constants.BROTLI_PARAM_SIZE_HINT]: source.length,
  }
}

export function compress(): Plugin {
  return {
    name: 'compress',
    apply: 'build',
    generateBundle: {
      // After index.html was generated.
      order: 'post',
      handler(_options, bundle) {
        for (const output of Object.values(bundle)) {
          if (!COMPRESSIBLE.test(output.fileName)) continue
          const source = Buffer.from(output.type === 'chunk' ? output.code : output.source)
          for (const [end, compressed] of compressions) {
            const smaller = compressed(source)
            if (smaller.length >= source.length) continue
            this.emitFile({ type: 'asset', fileName: output.fileName + end, source: smaller })
          }
        }
      },
    },
  }
}
