import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// The console, served at / by the service. WARDWATCH_URL is where a running
// service answers while the console is developed (npx vite -c …).
export default defineConfig({
  root: 'console',
  plugins: [react()],
  build: { outDir: '../dist/console', emptyOutDir: true, chunkSizeWarningLimit: 1500, assetsInlineLimit: 0 },
  server: { proxy: { '/api/v1': process.env.WARDWATCH_URL ?? 'http://127.0.0.1:8080' } },
})
