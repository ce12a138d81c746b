"""Read models: exactly what a page needs, in a fixed number of statements; who looks is a required argument."""
