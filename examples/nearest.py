#!/usr/bin/python3
"""The nearest rows to some queries: what the output folders of `vembed embed` look like from numpy.

usage: nearest.py FOLDER CORPUS.jsonl QUERY_FOLDER QUERIES.txt [COUNT]

FOLDER holds the embeddings of CORPUS.jsonl (its text in "text"), QUERY_FOLDER those of the lines of QUERIES.txt.
"""

import json
import sys

import numpy


def rows(folder):
    return numpy.load(f"{folder}/embeddings.npy", mmap_mode="r")


def nearest(matrix, query, count):
    """(row, cosine) of the `count` rows nearest to query, the nearest first. Rows that failed are NaN."""
    lengths = numpy.linalg.norm(matrix, axis=1) * numpy.linalg.norm(query)
    scores = numpy.nan_to_num(matrix @ query / lengths, nan=-2.0)
    best = numpy.argpartition(-scores, count - 1)[:count]
    return [(row, scores[row]) for row in best[numpy.argsort(-scores[best], kind="stable")]]


def main():
    if len(sys.argv) not in (5, 6):
        sys.exit(__doc__)
    folder, corpus, query_folder, queries = sys.argv[1:5]
    matrix, query_matrix = rows(folder), rows(query_folder)
    count = min(int(sys.argv[5]) if len(sys.argv) == 6 else 5, len(matrix))
    with open(corpus, encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file]
    with open(queries, encoding="utf-8") as file:
        asked = [line.rstrip("\n") for line in file]
    for query, vector in zip(asked, query_matrix):
        print(f"\n{query}")
        for row, score in nearest(matrix, numpy.asarray(vector), count):
            print(f"  {score:.3f}  {texts[row]}")


main()
