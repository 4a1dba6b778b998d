"""What the page of the data shows: a pair of near-duplicates lies apart where the split parts it."""
