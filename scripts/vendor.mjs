// Brings what the pages need from node_modules/ to static/vendor/, and what only the tests need to build/.
//
// Our own stylesheets and scripts get compressed copies beside them; a copy older than its file is not served.
//
// One stylesheet per direction: the design tokens, those that differ in the dark, and Codex. One file, because each
// further one is a round trip on a slow link; Codex's own stylesheet for both directions would be 3 kB more.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';

const from = new URL( '../node_modules/', import.meta.url );
const goal = new URL( '../static/vendor/', import.meta.url );
const draft = new URL( '../build/vendor/', import.meta.url );
const build = new URL( '../build/', import.meta.url );

const read = ( name ) => readFileSync( new URL( name, from ), 'utf8' );

// Icons that point somewhere are mirrored where the text runs from right to left.
const MIRROR = `
[dir=rtl] .icon-mirrored{transform:scaleX(-1);transform-origin:center}
[dir=rtl] .icon-ltr,[dir=ltr] .icon-rtl{display:none}
`;

function stylesheet( codex ) {
	const tokens = '@wikimedia/codex-design-tokens/dist/theme-wikimedia-ui';
	return [
		read( `${ tokens }-root.css` ),
		`@media (prefers-color-scheme: dark) {\n${ read( `${ tokens }-mode-dark.css` ) }}\n`,
		read( `@wikimedia/codex/dist/${ codex }` ),
		MIRROR
	].join( '' );
}

// { "arrowNext": "<path …/>" }, the inside of an <svg viewBox="0 0 20 20">.
function icons() {
	const all = JSON.parse( read( '@wikimedia/codex-icons/dist/codex-icons.json' ) );
	return Object.fromEntries( Object.entries( all ).map( ( [ name, icon ] ) => [
		name.replace( /^cdxIcon(.)/, ( _, first ) => first.toLowerCase() ), drawing( icon )
	] ) );
}

function drawing( icon ) {
	if ( typeof icon === 'string' ) {
		return icon;
	}
	const group = ( kind, inside ) => `<g class="icon-${ kind }">${ inside }</g>`;
	if ( icon.rtl ) {
		return group( 'ltr', icon.ltr ) + group( 'rtl', icon.rtl );
	}
	return icon.shouldFlip ? group( 'mirrored', icon.ltr ) : icon.default ?? icon.ltr;
}

function compress( file, text ) {
	writeFileSync( `${ fileURLToPath( file ) }.gz`, gzipSync( text, { level: 9 } ) );
	writeFileSync( `${ fileURLToPath( file ) }.br`, brotliCompressSync( text ) );
}

const files = {
	'codex.css': stylesheet( 'codex.style.css' ),
	'codex-rtl.css': stylesheet( 'codex.style-rtl.css' ),
	'icons.json': JSON.stringify( icons(), null, '\t' )
};

rmSync( draft, { recursive: true, force: true } );
mkdirSync( draft, { recursive: true } );
const manifest = {};
for ( const [ name, text ] of Object.entries( files ) ) {
	manifest[ name ] = createHash( 'sha256' ).update( text ).digest( 'hex' );
	writeFileSync( new URL( name, draft ), text );
	if ( name.endsWith( '.css' ) ) {
		compress( new URL( name, draft ), text );
	}
}
writeFileSync( new URL( 'manifest.json', draft ), JSON.stringify( manifest, null, '\t' ) + '\n' );
// All at once, so that a running tool never finds half of them.
rmSync( goal, { recursive: true, force: true } );
renameSync( draft, goal );

for ( const folder of [ 'css', 'js' ] ) {
	const place = new URL( `../static/${ folder }/`, import.meta.url );
	for ( const name of existsSync( place ) ? readdirSync( place ) : [] ) {
		if ( name.endsWith( `.${ folder }` ) ) {
			compress( new URL( name, place ), readFileSync( new URL( name, place ) ) );
		}
	}
}

// The accessibility checker: for browser tests alone, never served.
if ( existsSync( new URL( 'axe-core/axe.min.js', from ) ) ) {
	mkdirSync( build, { recursive: true } );
	writeFileSync( new URL( 'axe.min.js', build ), read( 'axe-core/axe.min.js' ) );
}
