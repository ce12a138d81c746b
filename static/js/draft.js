/**
 * Saves the form while somebody types, says whether that worked, and keeps a copy in the browser until it did.
 *
 * The form works without this. Its data attributes hold the address to save to and every sentence that is said here.
 */

const PAUSE = 1500; // milliseconds without a key before saving
const GAP = 4000; // at least so long from one save to the next: the server counts them
const AGAIN = [5000, 15000, 60000]; // waits after a failure
const COPY_LIFE = 7 * 86400000;
const PREFIX = 'cphub-draft ';
const KEPT = [ 'csrf_token', 'page', 'step', 'for', 'reply_languages' ]; // not from the copy

const form = document.querySelector( 'form[data-draft]' );
dropSubmitted( form && slotOf( form ) );
if ( form ) {
	keep( form, document.getElementById( 'draft-state' ) );
}

/** The name under which the copy of a form is kept: one for each person, draft and step. */
function slotOf( form ) {
	return `${ PREFIX }${ form.dataset.owner } ${ form.elements.page.value } ${ form.elements.step.value }`;
}

/** A form that was submitted and led to another page has arrived. */
function dropSubmitted( here ) {
	attempt( () => {
		for ( const slot of Object.keys( localStorage ) ) {
			if ( slot.startsWith( PREFIX ) && slot !== here && JSON.parse( localStorage.getItem( slot ) ).submitted ) {
				localStorage.removeItem( slot );
			}
		}
	} );
}

function attempt( what ) {
	try {
		return what();
	} catch {
		// Without storage there is no copy; saving on the server goes on.
		return null;
	}
}

function keep( form, state ) {
	const { draft: address, owner, failed, offline, here, restored } = form.dataset;
	let timer, request, savedAt = 0, failures = 0, saving = false, changed = false, leaving = false;

	nameHere();
	bringBack();
	form.addEventListener( 'input', onInput );
	form.addEventListener( 'submit', () => {
		leaving = true;
		clearTimeout( timer );
		request?.abort();
		copy( true );
	} );
	addEventListener( 'online', () => changed && soon( 0 ) );

	/** Gives the address the form's key, so that reloading and going back find this draft and not another empty form. */
	function nameHere() {
		const url = new URL( location );
		if ( owner && !url.searchParams.has( 'draft' ) ) {
			url.searchParams.set( 'draft', form.elements.key.value );
			history.replaceState( null, '', url );
		}
	}

	function onInput() {
		leaving = false;
		changed = true;
		copy();
		if ( owner ) {
			soon( PAUSE );
		} else {
			say( here, false );
		}
	}

	function soon( wait ) {
		clearTimeout( timer );
		timer = setTimeout( save, Math.max( wait, savedAt + GAP - Date.now() ) );
	}

	async function save() {
		if ( saving || leaving ) {
			return;
		}
		const fields = new FormData( form );
		fields.set( 'zone', Intl.DateTimeFormat().resolvedOptions().timeZone || '' );
		saving = true;
		changed = false;
		savedAt = Date.now();
		request = new AbortController();
		try {
			const body = new URLSearchParams( fields );
			const response = await fetch( address, { method: 'POST', body, signal: request.signal } );
			const answer = await response.json().catch( () => ( {} ) );
			done( response, answer );
		} catch {
			later( navigator.onLine ? failed : offline );
		} finally {
			saving = false;
			if ( changed ) {
				soon( failures ? AGAIN[ 0 ] : PAUSE );
			}
		}
	}

	function done( response, answer ) {
		if ( response.ok ) {
			failures = 0;
			say( answer.said, false );
			forget();
			// Reloading shows what was saved.
			history.replaceState( null, '', answer.address );
			form.elements.page.value = answer.address;
			if ( changed ) {
				copy();
			}
		} else if ( answer.csrf_token ) {
			form.elements.csrf_token.value = answer.csrf_token;
			changed = true;
		} else if ( answer.said ) {
			say( answer.said, true );
		} else {
			later( failed );
		}
	}

	function later( words ) {
		say( words, true );
		changed = true;
		clearTimeout( timer );
		timer = setTimeout( save, AGAIN[ Math.min( failures++, AGAIN.length - 1 ) ] );
	}

	function say( words, wrong ) {
		state.textContent = words;
		state.classList.toggle( 'is-wrong', wrong );
	}

	// The copy in the browser: what was typed and is not saved yet.

	function copy( submitted = false ) {
		const typed = [ ...new FormData( form ) ].filter( ( [ name ] ) => name !== 'csrf_token' );
		attempt( () => localStorage.setItem( slotOf( form ), JSON.stringify( { at: Date.now(), submitted, typed } ) ) );
	}

	function forget() {
		attempt( () => localStorage.removeItem( slotOf( form ) ) );
	}

	function bringBack() {
		const found = attempt( () => JSON.parse( localStorage.getItem( slotOf( form ) ) ) );
		if ( 'unsaved' in form.dataset ) {
			onInput(); // given back after signing in
		} else if ( !found || Date.now() - found.at > COPY_LIFE || document.getElementById( 'error-summary' ) ) {
			forget(); // a page with problems already shows what was typed
		} else {
			fill( new URLSearchParams( found.typed ) );
			onInput();
			say( restored, false );
		}
	}

	function fill( typed ) {
		for ( const field of form.elements ) {
			if ( field.type === 'checkbox' || field.type === 'radio' ) {
				field.checked = typed.getAll( field.name ).includes( field.value );
			} else if ( field.type !== 'submit' && !KEPT.includes( field.name ) && typed.has( field.name ) ) {
				field.value = typed.get( field.name );
			}
		}
	}
}
