package status

// Rules are a folder's own ignore rules.
type Rules struct {
	Text  string `json:"text"`
	Token string `json:"token" doc:"stands for them as they are now"`
}

// RulesTried is what rules would do with the files that are known of a folder.
type RulesTried struct {
	Files int64    `json:"files" doc:"that would be left out"`
	Dirs  int64    `json:"dirs" doc:"that would be left out"`
	Bytes int64    `json:"bytes" doc:"of those files"`
	Of    int64    `json:"of" doc:"how many files there are"`
	Names []string `json:"names" doc:"the first that would be left out"`
	// Problem is why they cannot be used, nil where they can.
	Problem *Problem `json:"problem"`
}
