// The light build has no types of its own: it is the same library without
// subtitles, DRM and alternative sound.
declare module 'hls.js/light' {
  export { default } from 'hls.js'
  export * from 'hls.js'
}
