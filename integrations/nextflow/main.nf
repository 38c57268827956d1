// nextflow run integrations/nextflow/main.nf --slides my_slides --out results --shards 4 [-with-docker]
params.slides = null
params.out = 'results'
params.shards = 1
params.options = ''

process segment {
    container 'ftuseg:0.1.0'
    cpus 4
    input: tuple path(slides), val(n)
    output: path "shard-${n}-of-${params.shards}"
    script: "ftuseg segment ${slides} --out shard-${n}-of-${params.shards} --shard ${n}/${params.shards} --threads ${task.cpus} ${params.options}"
}

process merge {
    container 'ftuseg:0.1.0'
    publishDir params.out, mode: 'copy'
    input: path shards
    output: path '{all,shard-*}', includeInputs: true
    script: "ftuseg merge ${shards} --out all"
}

workflow {
    if (!params.slides) error 'name the slides, or their folder: --slides'
    numbers = channel.of(1..params.shards)
    merge(segment(channel.fromPath(params.slides, type: 'any', checkIfExists: true).combine(numbers)).collect())
}
