"""Two invented programs to look at: people, partners, merchants, feeds and payouts. Nothing here is real."""
