/** Where the page is served. A proxy may serve it below a path, and other programs beside it. */

/** The directory of the page, with a slash at its end. */
export function pageBase(): URL {
  return new URL('.', location.href)
}

/** Precedes the names of what this page stores: a browser keeps one storage for all paths of an origin. */
export function storagePrefix(): string {
  const { pathname } = pageBase()
  return pathname === '/' ? '' : pathname
}
