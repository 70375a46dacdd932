/** newSecret is a fresh signing secret as Standard Webhooks writes it: 32 random bytes, made here so that no answer ever holds it. */
export function newSecret(): string {
  return 'whsec_' + btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))
}
