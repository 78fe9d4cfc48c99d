package block

// Passed counts the positions in data that get past the filter.
func (f *Finder) Passed(data []byte) int {
	n := 0
	s := AddSum(0, data[:f.size])
	for i := f.size; i < len(data); i++ {
		s = s*sumFactor + uint64(data[i]) - f.leave[data[i-f.size]]
		if f.filter[s>>f.shift>>6]>>(s>>f.shift&63)&1 != 0 {
			n++
		}
	}
	return n
}
