import { defineConfig } from 'vite'

export default defineConfig({
  // The page works at whatever path it is served from.
  base: './',
  build: {
    target: 'es2022',
    // The policy of the page allows no script or picture inside of the page itself.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
})
