package text

// Choose is choose, for the tests.
var Choose = choose
