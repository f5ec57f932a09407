// Package documents holds the documents to what they say. Its tests take
// every page apart: each configuration that is shown is valid, each command and
// file exists, each picture is what is printed, each message is explained.
package documents
