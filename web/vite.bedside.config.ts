import { defineConfig } from 'vite'

// The bedside page, served at /bedside. Ward tablets and patients' phones
// are old: the target is what browsers of 2020 and 2021 understand.
export default defineConfig({
  root: 'bedside',
  base: '/bedside/',
  build: {
    outDir: '../dist/bedside',
    emptyOutDir: true,
    target: ['es2019', 'chrome80', 'safari13'],
    cssTarget: ['chrome80', 'safari13'],
    modulePreload: false,
    assetsInlineLimit: 0,
    rollupOptions: { input: ['bedside/index.html', 'bedside/tablet.html', 'bedside/share.html'] },
  },
  server: { proxy: { '/api': process.env.WARDWATCH_URL ?? 'http://127.0.0.1:8080' } },
})
