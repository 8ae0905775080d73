package modules

// AddedModalias is open to the fuzz test.
var AddedModalias = addedModalias
