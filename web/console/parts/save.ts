/** save gives the reader a file, as a link with "download" would. */
export function save(content: Blob, name: string) {
  const url = URL.createObjectURL(content)
  saveFrom(url, name)
  setTimeout(() => URL.revokeObjectURL(url), 60_000) // the browser reads it after the click
}

/** saveFrom lets the browser write what is at url straight to the disk. */
export function saveFrom(url: string, name: string) {
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
}
