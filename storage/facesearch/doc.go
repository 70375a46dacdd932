// Package facesearch finds, among all faces that cameras have seen, those
// like one: exactly, in the time that it takes to read them once from memory.
// It keeps an index in memory that follows the database; the row decides what
// is told. It must know nothing of pictures, users or HTTP: who may search,
// and that a search is sealed before its answer is given, is web's business.
package facesearch
