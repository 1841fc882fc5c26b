// Package list has what package slices lacks.
package list

// Without removes v from list, keeping the order.
func Without[T comparable](list []T, v T) []T {
	for i := range list {
		if list[i] == v {
			return append(list[:i:i], list[i+1:]...)
		}
	}
	return list
}
