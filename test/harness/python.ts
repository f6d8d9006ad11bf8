/** The system's Python, which has Debian's packages. */
export const PYTHON = '/usr/bin/python3'
