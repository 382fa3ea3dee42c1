import { defineConfig } from 'vite'

export default defineConfig({
  // The page works at whatever path it is served from.
  base: './',
  build: {
    target: 'es2022',
    // The policy of the page allows no script or picture inside of the page itself.
    assetsInlineLimit: 0,
    // Their names change with what is in them. The router says so of a folder of this name.
    assetsDir: 'immutable',
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
})
