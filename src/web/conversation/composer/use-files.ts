/** Files that are dropped or pasted: messages are text, so the user is told. A dropped file would else replace the page. */
import { useEffect } from 'preact/hooks'

export const NO_FILES =
  'Files can’t be sent: a message is text. Put the file where others can open it, and send a link.'

/** @param refused must keep its identity between calls */
export function useDroppedFiles(refused: () => void): void {
  useEffect(() => {
    const dropped = (event: DragEvent) => {
      if (!hasFiles(event.dataTransfer)) return
      event.preventDefault()
      refused()
    }
    addEventListener('dragover', allowDrop)
    addEventListener('drop', dropped)
    return () => {
      removeEventListener('dragover', allowDrop)
      removeEventListener('drop', dropped)
    }
  }, [refused])
}

/** Only what may be dropped causes an event when it is. */
function allowDrop(event: DragEvent): void {
  if (hasFiles(event.dataTransfer)) event.preventDefault()
}

export function hasFiles(data: DataTransfer | null): boolean {
  return data?.types.includes('Files') === true
}
